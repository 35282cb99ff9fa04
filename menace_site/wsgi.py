"""The door for WSGI servers."""

import os

from django.core.wsgi import get_wsgi_application

from menace_site import statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")
application = get_wsgi_application()
statements.limit()
