import sys

if __name__ == "__main__":
    print("started as", __name__)
    sys.exit(int(open("code.txt").read()))
