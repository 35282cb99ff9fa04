"""The door for ASGI servers."""

import os

from django.core.asgi import get_asgi_application

from menace_site import statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")
application = get_asgi_application()
statements.limit()
