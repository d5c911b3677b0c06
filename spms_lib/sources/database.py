"""Queries to a database behind a SQLAlchemy URL that stands in the environment."""

import os

import pandas as pd

from spms_lib.errors import SourceError
from spms_lib.sources.text_of import frame_of


def read_database(sql: str, url_env: str, *, where: str, decimal: str) -> pd.DataFrame:
    """Run a query in the database whose URL the environment variable holds.

    The query is sent as it is written; whatever it changes is not committed.

    Raises
    ------
    SourceError
        If the variable is not set, the database cannot be reached or refuses the query.
        No message holds the URL or a part of it that is secret.
    """
    import sqlalchemy as sa

    secret = os.environ.get(url_env, "")
    if not secret:
        raise SourceError(
            f"The environment variable '{url_env}' is not set.",
            where=where,
            remedy="Set it to the SQLAlchemy URL of the database.",
        )
    try:
        url = sa.make_url(secret)
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except (sa.exc.ArgumentError, ModuleNotFoundError, ValueError) as error:
        driver = f" ({error})" if isinstance(error, ModuleNotFoundError | sa.exc.NoSuchModuleError) else ""
        raise SourceError(
            f"The URL in '{url_env}' cannot be used{driver}.",
            where=where,
            remedy="Write it as dialect+driver://user:password@host/database, and install the driver.",
        ) from None
    try:
        with engine.connect().execution_options(no_parameters=True) as connection:
            result = connection.exec_driver_sql(sql)
            return frame_of(list(result.keys()), result, decimal=decimal)
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
        raise SourceError(
            f"The database answered: {_without_secrets(reason[0], url)}",
            where=where,
            remedy=f"Correct the query, or the URL in '{url_env}'.",
        ) from None
    finally:
        engine.dispose()


def _without_secrets(message: str, url: "object") -> str:
    import sqlalchemy as sa

    if not isinstance(url, sa.URL):
        return message
    options = [
        text for value in url.query.values() for text in ([value] if isinstance(value, str) else value)
    ]
    secrets = [url.render_as_string(hide_password=False), str(url.password or ""), *options]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        message = message.replace(secret, "***")
    return message
