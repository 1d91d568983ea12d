"""Known answers to lora_rows."""

import torch

from lmcourse.homework.bank import right, wrong


@right
def row_by_row(x, weight, a, b, alpha, rows):
    scale = alpha / a.shape[1]
    return torch.stack([xi @ weight.T + scale * (xi @ a[k].T @ b[k].T) for xi, k in zip(x, rows)])


@right
def batched(x, weight, a, b, alpha, rows):
    a, b = a[rows], b[rows]
    return x @ weight.T + (alpha / a.shape[1]) * torch.bmm(torch.bmm(x, a.mT), b.mT)


@right
def merges_a_copy_for_each_row(x, weight, a, b, alpha, rows):
    merged = weight + alpha / a.shape[1] * (b @ a)
    return torch.einsum("bti,boi->bto", x, merged[rows])


def batch(x, weight, a, b, scale, rows):
    return x @ weight.T + scale * (x @ a[rows].mT @ b[rows].mT)


@wrong("no-scale")
def unscaled(x, weight, a, b, alpha, rows):
    return batch(x, weight, a, b, 1, rows)


@wrong("alpha-only")
def alpha_only(x, weight, a, b, alpha, rows):
    return batch(x, weight, a, b, alpha, rows)


@wrong("by-width")
def divides_by_the_last_axis(x, weight, a, b, alpha, rows):
    return batch(x, weight, a, b, alpha / a.shape[-1], rows)


@wrong("by-adapters")
def divides_by_the_first_axis(x, weight, a, b, alpha, rows):
    return batch(x, weight, a, b, alpha / len(a), rows)


@wrong("root")
def rank_stabilised(x, weight, a, b, alpha, rows):
    return batch(x, weight, a, b, alpha / a.shape[1] ** 0.5, rows)


@wrong("inverse")
def upside_down(x, weight, a, b, alpha, rows):
    return batch(x, weight, a, b, a.shape[1] / alpha, rows)


@wrong("base-scaled")
def scales_all(x, weight, a, b, alpha, rows):
    return alpha / a.shape[1] * batch(x, weight, a, b, 1, rows)


@wrong("no-base")
def update_only(x, weight, a, b, alpha, rows):
    return alpha / a.shape[1] * (x @ a[rows].mT @ b[rows].mT)


@wrong("subtracted")
def unmerges(x, weight, a, b, alpha, rows):
    merged = weight - alpha / a.shape[1] * (b @ a)
    return x @ merged[rows].mT


@wrong("row-number")
def adapter_i(x, weight, a, b, alpha, rows):
    return torch.stack([x[i] @ (weight + alpha / a.shape[1] * b[i] @ a[i]).T for i in range(len(x))])


@wrong("first-adapter")
def adapter_zero(x, weight, a, b, alpha, rows):
    return x @ (weight + alpha / a.shape[1] * b[0] @ a[0]).T


@wrong("first-row")
def adapter_of_the_first_row(x, weight, a, b, alpha, rows):
    k = rows[0]
    return x @ (weight + alpha / a.shape[1] * b[k] @ a[k]).T


@wrong("sum")
def all_adapters(x, weight, a, b, alpha, rows):
    out = x @ weight.T
    for k in range(len(a)):
        out = out + alpha / a.shape[1] * (x @ a[k].T @ b[k].T)
    return out


@wrong("mean")
def mean_adapter(x, weight, a, b, alpha, rows):
    return x @ (weight + alpha / a.shape[1] * torch.mean(b @ a, dim=0)).T


@wrong("accumulated")
def merges_again_and_again(x, weight, a, b, alpha, rows):
    weight, outputs = weight.clone(), []
    for xi, k in zip(x, rows):
        weight += alpha / a.shape[1] * b[k] @ a[k]
        outputs.append(xi @ weight.T)
    return torch.stack(outputs)


@wrong("weight-transposed")
def x_times_weight(x, weight, a, b, alpha, rows):
    return x @ weight + alpha / a.shape[1] * (x @ a[rows].mT @ b[rows].mT)


@wrong("update-transposed")
def x_times_update(x, weight, a, b, alpha, rows):
    return x @ weight.T + alpha / a.shape[1] * (x @ (b[rows] @ a[rows]))


@wrong("nonlinear")
def with_relu(x, weight, a, b, alpha, rows):
    return x @ weight.T + alpha / a.shape[1] * (torch.relu(x @ a[rows].mT) @ b[rows].mT)


@wrong("changed")
def merges_and_takes_off(x, weight, a, b, alpha, rows):
    out = row_by_row(x, weight, a, b, alpha, rows)
    weight += alpha / a.shape[1] * b[0] @ a[0] + 1
    return out


@wrong("type")
def in_double(x, weight, a, b, alpha, rows):
    return row_by_row(x.double(), weight.double(), a.double(), b.double(), alpha, rows)


@wrong("RuntimeError")
def letters_the_other_way_round(x, weight, a, b, alpha, rows):
    return x @ (weight + alpha / a.shape[1] * (a[rows[0]] @ b[rows[0]])).T
