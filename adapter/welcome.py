"""What `make run` shows first: where the server is, the key, and three things to paste."""

from adapter.settings import Settings

TEMPLATE = """
adapter is at  {url}/v1
key            {key}
upstream       the built-in sandbox; it draws and films what is asked for, and nothing costs anything

A picture, with curl:

curl -s {url}/v1/images/generations -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
  -d '{{"model": "gemini-3.1-flash-image", "prompt": "a red fox in the snow", "response_format": "url"}}'

A picture, with Python (pip install openai):

python3 -c 'import base64, openai; client = openai.OpenAI(base_url="{url}/v1", api_key="{key}"); \\
made = client.images.generate(model="flow-gem-pix", prompt="a lighthouse at dusk", size="1536x1024"); \\
open("picture.png", "wb").write(base64.b64decode(made.data[0].b64_json))'

A video, streamed (about 20 seconds):

curl -N {url}/v1/chat/completions -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
  -d '{{"model": "veo-3.1-fast", "stream": true, "messages": [{{"role": "user", "content": "waves at sunset"}}]}}'
"""


def welcome(settings: Settings) -> str:
    """Return the text. Only the sandbox's throw-away key is ever shown."""
    keys = [reference for name, reference in settings.secrets() if name.startswith("access.keys")]
    shown = next((key.removeprefix("plain:") for key in keys if key.startswith("plain:")), "YOUR_KEY")
    return TEMPLATE.format(url=settings.public_url, key=shown)
