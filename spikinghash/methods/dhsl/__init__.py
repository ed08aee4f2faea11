"""DHSL (Ma et al., IEEE Access 12, 2024), reconstructed: relation networks and labels teach codes of two inputs."""
