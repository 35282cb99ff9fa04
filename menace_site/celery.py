"""The Celery application. Messages carry row ids only; the rows are the truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")

app = Celery("menace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
