"""What a mistyped word was probably meant to be."""

from collections.abc import Iterable

_LONGEST = 200


def near_miss(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that was probably meant, None where none resembles the word, whatever the case."""
    import difflib  # only somebody who mistyped needs it

    by_lower = {candidate.lower(): candidate for candidate in candidates}
    # The cost grows with the word's length, and a word may come from anybody.
    matches = difflib.get_close_matches(word[:_LONGEST].lower(), by_lower, n=1)
    return by_lower[matches[0]] if matches else None


def did_you_mean(word: str, candidates: Iterable[str], otherwise: str = "") -> str:
    """Return the end of a sentence: a suggestion, or `otherwise` where nothing resembles the word."""
    match = near_miss(word, candidates)
    if match is not None:
        return f"; did you mean {match}?"
    return f"; {otherwise}" if otherwise else ""
