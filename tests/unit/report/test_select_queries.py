from spikinghash.report.documents import QueryResult
from spikinghash.report.select_queries import select_queries


def query(number, label, found):
    results = [{"clip_id": f"n{place}", "label": one, "distance": place} for place, one in enumerate(found)]
    return QueryResult(clip_id=f"q{number:02}", label=label, results=results)


def shown(chosen):
    return [(entry.group, entry.query.clip_id) for entry in chosen]


GRADED = [query(hits, "a", "a" * hits + "b" * (8 - hits)) for hits in range(9)]


def test_best_middle_and_worst_by_precision():
    assert shown(select_queries(GRADED, 3, 8)) == [("best", "q08"), ("median", "q04"), ("worst", "q00")]


def test_hits_are_counted_among_the_neighbours_shown():
    best = select_queries([query(0, "a", "aaabbb")], 1, 3)[0]
    assert (best.hits, best.of, best.precision) == (3, 3, 1.0)
    assert len(best.query.results) == 3


def test_no_query_is_shown_twice_and_no_more_than_there_are():
    for count in range(1, 14):
        ids = [entry.query.clip_id for entry in select_queries(GRADED, count, 8)]
        assert len(ids) == len(set(ids)) == min(count, 9)


def test_among_equals_other_classes_get_a_turn():
    perfect = [query(0, "a", "aa"), query(1, "a", "aa"), query(2, "b", "bb"), query(3, "b", "ac")]
    assert {entry.query.label for entry in select_queries(perfect, 2, 2)} == {"a", "b"}


def test_earlier_hits_are_better():
    assert select_queries([query(0, "a", "ba"), query(1, "a", "ab")], 1, 2)[0].query.clip_id == "q01"


def test_the_order_of_the_file_does_not_matter():
    assert shown(select_queries(GRADED, 5, 8)) == shown(select_queries(GRADED[::-1], 5, 8))


def test_unlabelled_queries_stand_unranked():
    chosen = select_queries([query(0, None, "ab"), query(1, None, "ab")], 1, 8)
    assert shown(chosen) == [("unranked", "q00")]


def test_unlabelled_neighbours_do_not_count():
    assert select_queries([query(0, "a", ["a", None])], 1, 8)[0].of == 1


def test_nothing_to_choose_from():
    assert select_queries([], 8, 8) == []
