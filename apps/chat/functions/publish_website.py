"""A custom resource: puts the page into the website's bucket, and takes out what is no longer part of it.

Its package is the application's folder, so the files of `web/` lie beside it.
"""

from pathlib import Path

import website

WEB = Path(__file__).resolve().parent.parent / "web"
ALWAYS_NEW = ("index.html", "config.json")


def handler(event, context):
    website.serve(event, context, publish)


def publish(bucket, properties):
    wanted = website.files(WEB, properties["Socket"])
    for key, content in wanted.items():
        website.put(bucket, key, content, "no-cache" if key in ALWAYS_NEW else website.A_MINUTE)
    for there in bucket.objects.all():
        if there.key not in wanted:
            there.delete()
