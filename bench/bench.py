"""./dev bench [NAME] [--seconds N] [--rounds N]: runs one benchmark, or all. Each writes build/bench/NAME.json."""
import argparse
import importlib
import sys

ALL = ["inventory", "issue", "policy", "status"]


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("name", nargs="?", choices=ALL, help="which one; all without it")
    parser.add_argument("--seconds", type=float, default=3, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the median counts")
    args = parser.parse_args()
    for name in [args.name] if args.name else ALL:
        importlib.import_module(name).run(args.seconds, args.rounds)


if __name__ == "__main__":
    sys.exit(main())
