"""One file per command: arguments in, one call into the library, a result out."""
