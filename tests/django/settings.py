"""One project, three layouts of users: LAYOUT names the app that holds them."""

import os
from urllib.parse import unquote, urlsplit

LAYOUT = os.environ["LAYOUT"]
database = urlsplit(os.environ["DATABASE_URL"])

SECRET_KEY = "of tests alone"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
MEDIA_URL = "https://media.example.com/"
USE_TZ = True
TIME_ZONE = "Asia/Tehran"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTH_USER_MODEL = {
    "accounts": "accounts.User",
    "people": "auth.User",
    "members": "members.Member",
}[LAYOUT]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "knox" if LAYOUT == "members" else "rest_framework.authtoken",
    LAYOUT,
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": database.hostname,
        "PORT": database.port,
        "NAME": database.path.lstrip("/"),
        "USER": unquote(database.username or ""),
        "PASSWORD": unquote(database.password or ""),
    }
}
