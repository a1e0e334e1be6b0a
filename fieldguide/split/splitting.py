"""Divides photos into train, val and test so that photos that belong together stay together.

A photo's split is a pure function of a salt and of the name of its group, never of how many photos there are: photos
that are added at the end move none of the earlier ones, unless they tie two groups together. Every species' groups are
drawn on their own, so every species in every region is divided in the asked ratios up to chance; metrics/split.json
says how it came out. Only `guarantee_minimum` looks at how many there are.

Functions here take and return tables with one row per photo: photo_id, label, group_id, position, split.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.errors import CatalogueError
from fieldguide.files import salted_units


def find_groups(table: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """A group id for every row: rows that share a value of any of `columns`, directly or through others, share it.

    The id is `column=value` of the group's first row, the first of `columns` that it has: rows that are added at the
    end never rename a group, but where they tie two together, the later one takes the earlier one's name. A row without
    any value is a group of its own, named by its photo_id. Nulls join nothing.
    """
    components = _connect(table.select(pl.col(columns).cast(pl.String)))
    first = np.empty(len(table), np.int64)
    # Backwards: of several rows of a group the last assignment wins, and that is then the first row.
    first[components[::-1]] = np.arange(len(table))[::-1]
    names = [pl.format(f"{column}={{}}", column) for column in (*columns, "photo_id")]
    return table.select(pl.coalesce(names).alias("group_id"))["group_id"].gather(first[components])


def _connect(keys: pl.DataFrame) -> npt.NDArray[np.int32]:
    """The number of each row's connected component in the graph of rows and the values that they hold: [num_rows]."""
    rows, values, num_values = [], [], len(keys)
    for column in keys.iter_columns():
        held = column.is_not_null()
        codes = column.drop_nulls().cast(pl.Categorical).to_physical().to_numpy().astype(np.int64)
        rows.append(held.arg_true().to_numpy().astype(np.int64))
        values.append(codes + num_values)
        num_values += int(codes.max(initial=-1)) + 1
    ends = np.concatenate([np.empty(0, np.int64), *rows]), np.concatenate([np.empty(0, np.int64), *values])
    graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(num_values, num_values))
    components: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return components[: len(keys)]


def draw_positions(group_ids: pl.Series, salt: str) -> pl.Series:
    """Where in [0, 1) each row's group falls: a salted hash, so no photo's place depends on another's."""
    groups = group_ids.unique()
    positions = pl.Series("position", salted_units(salt, groups))
    drawn = pl.DataFrame({"group_id": groups, "position": positions})
    return group_ids.to_frame("group_id").join(drawn, on="group_id", how="left", maintain_order="left")["position"]


def draw_splits(positions: pl.Series, ratios: Mapping[Split, float]) -> pl.Series:
    """The split of each position: compared with the running sum of `ratios`, which sum to 1."""
    bounds = np.cumsum([ratios[split] for split in DRAWN])[:-1]
    numbers = np.searchsorted(bounds, positions.to_numpy(), side="right")
    return pl.Series("split", [str(split) for split in DRAWN]).gather(numbers).alias("split")


def honour_given(table: pl.DataFrame, column: str, ratios: Mapping[Split, float]) -> pl.Series:
    """The split that the source gives in `column`; one that it gives to no photo is drawn from train, as `ratios` say.

    So a challenge whose test photos have no labels keeps its val and still has a test split. Raises CatalogueError
    where a row has no split or an unknown one.
    """
    if column not in table.columns:
        raise CatalogueError(f"split.given: no column '{column}'; found {', '.join(table.columns)}")
    allowed = [str(split) for split in DRAWN]
    strange = table.filter(~pl.col(column).is_in(allowed) | pl.col(column).is_null())
    if len(strange):
        row = strange.row(0, named=True)
        raise CatalogueError(f"{row['source_row']}: {column} is {row[column]!r}; expected one of {', '.join(allowed)}")
    missing = sorted(set(allowed) - set(table[column].unique()))
    drawn = draw_splits(table["position"], ratios)
    is_drawn = (table[column] == Split.TRAIN) & drawn.is_in(missing)
    return drawn.zip_with(is_drawn, table[column]).alias("split")


def guarantee_minimum(photos: pl.DataFrame, minimum: int, classes: Mapping[str, str]) -> pl.DataFrame:
    """Give each class at least `minimum` photos in test, then in val, out of train; `classes` names that of each label.

    Whole groups move, those drawn nearest to val first, as long as train keeps half of the class's photos. This alone
    lets photos that are added later move others, and only those of a class that falls short.
    """
    named = photos.with_columns(pl.col("label").replace_strict(classes).alias("class"))
    counts = named.group_by("class", "split").len()
    held: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, split, count in counts.iter_rows():
        held[name][split] = count
    short = [name for name in sorted(held) if min(held[name][Split.VAL], held[name][Split.TEST]) < minimum]
    if not short:
        return photos
    concerned = named.filter(pl.col("class").is_in(short))["group_id"].unique()
    groups = named.filter(pl.col("group_id").is_in(concerned.implode()))
    members: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for group, name, count in groups.group_by("group_id", "class").len().iter_rows():
        members[group][name] = count
    state = dict(groups.select("group_id", "split").unique("group_id").iter_rows())
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    order = groups.unique("group_id").sort("position", "group_id", descending=True)["group_id"]
    for group in order:
        for name in members[group]:
            waiting[name].append(group)
    for name in short:
        least_left = sum(held[name][split] for split in DRAWN) / 2
        for split in (Split.TEST, Split.VAL):
            for group in waiting[name]:
                if held[name][split] >= minimum:
                    break
                if state[group] != Split.TRAIN or held[name][Split.TRAIN] - members[group][name] < least_left:
                    continue
                state[group] = split
                for other, count in members[group].items():
                    held[other][Split.TRAIN] -= count
                    held[other][split] += count
    splits = [None if split is None else str(split) for split in state.values()]
    moved = pl.DataFrame({"group_id": list(state), "moved": pl.Series(splits, dtype=pl.String)})
    joined = photos.join(moved, on="group_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("moved", "split").alias("split")).drop("moved")


def exceeds_cap(photos: pl.DataFrame, cap: int) -> pl.Series:
    """Which training photos a label has beyond `cap`: those whose groups were drawn last. Boolean [num_photos]."""
    place = pl.struct("position", "photo_id").rank("ordinal").over("label", "split")
    return photos.select(((pl.col("split") == Split.TRAIN) & (place > cap)).alias("beyond"))["beyond"]
