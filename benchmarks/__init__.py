"""What ``make bench`` measures; every figure stands beside the thing it is compared with, in one run."""
