"""The special tokens of the recorded runs, in the order of their ids. Chapter: pretraining."""

PAD, END, MASK, CLS, SEP, START, DELIMITER, EXTRACT, NEGATIVE, POSITIVE = range(10)
NAMED = (
    "<pad>",
    "<end>",
    "<mask>",
    "<cls>",
    "<sep>",
    "<start>",
    "<delimiter>",
    "<extract>",
    "<negative>",
    "<positive>",
)
SENTINELS = tuple(range(len(NAMED), len(NAMED) + 32))
SPECIAL = (*NAMED, *(f"<extra_id_{number}>" for number in range(len(SENTINELS))))
