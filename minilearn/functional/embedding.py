"""Looking up: class numbers turned into vectors."""

from __future__ import annotations

from .. import xp
from ..errors import DimError, ShapeError, explain
from ..ops.dims import integer
from ..ops.elementwise import where
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_tensors


@Slot
def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Return the rows of `weight` whose numbers are in `input`.

    input: int64 or int32 of any shape (*), weight: (rows, features) -> (*, features).
    padding_idx: the number of a row that gets no gradient. Raises ShapeError, TypeError, and
    DimError (an IndexError) for a row that does not exist.

    >>> embedding(Tensor([2, 0]), Tensor([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]))
    tensor([[2. , 2.1],
            [0. , 0.1]])
    """
    arguments = {"input": input, "weight": weight}
    need_tensors("embedding", **arguments)
    if weight.ndim != 2:
        raise ShapeError(explain("embedding", "weight must be (rows, features)", arguments))
    if str(input.dtype) not in ("int64", "int32"):
        raise TypeError(explain("embedding", "input must hold int64 or int32 row numbers",
                                arguments, "convert it with input.long()"))
    rows = weight.shape[0]
    _check_rows(input.data, rows)
    vectors = weight[input.long()]
    if padding_idx is None:
        return vectors
    padding_idx = integer("embedding", "padding_idx", padding_idx)
    if not -rows <= padding_idx < rows:
        raise DimError(f"embedding: padding_idx={padding_idx} is not one of the {rows} rows")
    return where((input == padding_idx % rows).unsqueeze(-1), vectors.detach(), vectors)


def _check_rows(numbers, rows: int) -> None:
    right = (numbers >= 0) & (numbers < rows)
    xp.demand(right, lambda: DimError(
        f"embedding: row {int(numbers[~right][0])} in input is out of range: "
        f"weight has {rows} rows, 0 to {rows - 1}"))
