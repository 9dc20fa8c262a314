"""The first registry: submissions, their history, consents, curators."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(9), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("erased", sa.Boolean, nullable=False),
        sa.Column("created_utc", sa.String(32), nullable=False),
        sa.Column("changed_utc", sa.String(32), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("submission", sa.String(9), sa.ForeignKey("submissions.id"), nullable=False, index=True),
        sa.Column("time_utc", sa.String(32), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "consents",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("submission", sa.String(9), sa.ForeignKey("submissions.id"), nullable=False, index=True),
        sa.Column("question", sa.String(40), nullable=False),
        sa.Column("wording", sa.Text, nullable=False),
        sa.Column("answer", sa.Boolean, nullable=False),
        sa.Column("time_utc", sa.String(32), nullable=False),
    )
    op.create_table(
        "curators",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("created_utc", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Remove the tables."""
    for name in ("curators", "consents", "events", "submissions"):
        op.drop_table(name)
