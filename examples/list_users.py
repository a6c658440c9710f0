"""All users of a query, page by page: python3 list_users.py <base URL> <key>"""
import sys

import requests

base_url, key = sys.argv[1:3]
api = requests.Session()
api.headers.update({'Authorization': f'Token {key}'})
url, params = f'{base_url}/api/users/', {'limit': 5, 'is_active': True, 'ordering': 'username'}
while url:
    response = api.get(url, params=params)
    response.raise_for_status()
    page = response.json()
    for user in page['results']:
        print(user['username'], user['full_name'] or '', sep='\t')
    url, params = page['next'], None
