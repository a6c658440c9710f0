from django.urls import path

from users.views import UserList

urlpatterns = [path("api/users/", UserList.as_view())]
