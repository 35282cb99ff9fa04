"""What every list of the admin shares: it stays quick, keeps teams apart and shows what may not be edited."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from engines.models import Engine

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    Base = admin.ModelAdmin
    Pages = Paginator

CAP = 5_000


class CappedPaginator(Pages):
    """Counts no further than 5,000 rows and pages no further either: filters reach the rest."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most the cap."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return int(rows.order_by()[:CAP].count())
        return min(len(list(rows)), CAP)


class Quick(Base):
    """Lists that stay quick at a million rows."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 0


class OfTeams(Quick):
    """Rows of engines, of which a team may own some."""

    engine = "engine"  # where a row's engine is found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of engines that the user may see, as everywhere else."""
        rows = super().get_queryset(request)
        user = cast(User, request.user)
        if user.is_superuser:
            return rows
        return rows.filter(**{f"{self.engine}__in": Engine.objects.visible_to(user)})


class ReadOnly(Quick):
    """Rows that only the services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False
