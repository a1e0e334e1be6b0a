"""DVC in a process that ends soon after the sweep that started it, and so do the stages that it runs.

python -m fieldguide.sweep.dvc_process exp run --temp ...
"""

import sys

from fieldguide.parent import end_with_parent


def main() -> None:
    """Run DVC with the arguments of this process."""
    end_with_parent()
    from dvc.cli import main as dvc

    sys.exit(dvc(sys.argv[1:]))


if __name__ == "__main__":
    main()
