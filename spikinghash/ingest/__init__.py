"""Data sets into stores: every recording and picture is taken or refused, with a reason."""
