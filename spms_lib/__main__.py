"""`python -m spms_lib` is the command `spms`."""

from spms_lib.cli import main

if __name__ == "__main__":
    main()
