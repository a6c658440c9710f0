"""The active users of two groups, the last to log in first, page by page: python3 list_users.py <base URL> <key>

Without arguments both are taken from USERS_API_URL and USERS_API_KEY: other processes can read a command line.
"""
import os
import sys

import requests

base_url, key = sys.argv[1:] or (os.environ['USERS_API_URL'], os.environ['USERS_API_KEY'])
api = requests.Session()
api.headers.update({'Authorization': f'Token {key}'})
url = f'{base_url}/api/users/'
params = {'limit': 2, 'is_active': True, 'groups_in': [1, 2], 'ordering': ['-last_login', 'username']}
while url:
    response = api.get(url, params=params, timeout=30)
    response.raise_for_status()
    page = response.json()
    for user in page['results']:
        print(user['username'], user['full_name'] or '', sep='\t')
    url, params = page['next'], None  # the link holds the parameters
