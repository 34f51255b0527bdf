// The same request as curl, Python and Node. The key is a variable of the environment in all of them. No page, no network.

// What the OpenAI clients have as arguments of their own; the rest goes beside them.
const OWN = {
  "/images/generations": ["model", "prompt", "n", "response_format"],
  "/images/edits": ["model", "prompt", "n", "response_format"],
  "/videos": ["model", "prompt", "seconds"],
};
const METHODS = { "/images/generations": "images.generate", "/images/edits": "images.edit", "/videos": "videos.create" };

export const sampleOf = (language, work, baseUrl) => ({ curl, python, node })[language](work, baseUrl);

export const notesOf = (work) => {
  const names = work.inputs.map((input) => input.name).join(", ");
  return `The key comes from the variable ADAPTER_KEY. The commands for curl need jq.${names ? ` The pictures are files of this folder: ${names}.` : ""}`;
};

const isVideo = (work) => work.kind === "video";
const shell = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
// JSON is a literal of both languages too, but Python writes True and None in its own way. There are none here.
const literal = (value) => JSON.stringify(value);
const pythonKey = (name) => (/^[a-z_]+$/i.test(name) ? name : null);

function curl({ route, fields, inputs, kind }, baseUrl) {
  const lines = [`curl -sf ${baseUrl}${route}`, '  -H "Authorization: Bearer $ADAPTER_KEY"'];
  if (inputs.length === 0) {
    lines.push('  -H "Content-Type: application/json"', `  -d ${shell(JSON.stringify(fields))}`);
  } else {
    for (const [name, value] of Object.entries(fields)) {
      for (const each of [value].flat()) lines.push(`  --form-string ${shell(`${name}${Array.isArray(value) ? "[]" : ""}=${each}`)}`);
    }
    for (const { name } of inputs) lines.push(`  -F ${shell(`${kind === "video" ? "input_reference[]" : "image[]"}=@${name}`)}`);
  }
  const command = lines.join(" \\\n");
  if (kind !== "video") return `${command} \\\n  | jq -r '.data[0].b64_json' | base64 -d > picture.png`;
  return `VIDEO=$(${command} \\
  | jq -r .id)

# It is finished when its status is "completed".
until curl -sf ${baseUrl}/videos/$VIDEO -H "Authorization: Bearer $ADAPTER_KEY" \\
  | jq -e '.status == "completed" or .status == "failed"' > /dev/null
do sleep 5; done

curl -sf ${baseUrl}/videos/$VIDEO/content -H "Authorization: Bearer $ADAPTER_KEY" -o video.mp4`;
}

function python(work, baseUrl) {
  const saved = isVideo(work) ? pythonVideo : pythonPicture;
  return `import os${isVideo(work) ? "" : ", base64"}

import openai

client = openai.OpenAI(base_url=${literal(baseUrl)}, api_key=os.environ["ADAPTER_KEY"])

${saved(work)}`;
}

function pythonPicture(work) {
  const files = work.inputs.map(({ name }) => `open(${literal(name)}, "rb")`);
  return `made = client.${METHODS[work.route]}(
${pythonArguments(work, files.length ? [`image=[${files.join(", ")}]`] : [])}
)
for number, picture in enumerate(made.data, 1):
    open(f"picture-{number}.png", "wb").write(base64.b64decode(picture.b64_json))
`;
}

function pythonVideo(work) {
  const { route, inputs, fields } = work;
  let begin;
  if (inputs.length > 0) {
    const parts = inputs.map(({ name }) => `    ("input_reference[]", (${literal(name)}, open(${literal(name)}, "rb"))),`);
    begin = `video = client.post(
    "/videos",
    body={
${Object.entries(fields).map(([name, value]) => `        ${literal(name)}: ${literal(value)},`).join("\n")}
    },
    files=[
${parts.map((part) => `    ${part}`).join("\n")}
    ],
    options={"headers": {"Content-Type": "multipart/form-data"}},
    cast_to=openai.types.Video,
)`;
  } else if (METHODS[route]) {
    begin = `video = client.${METHODS[route]}(\n${pythonArguments(work, [])}\n)`;
  } else {
    begin = `video = client.post(${literal(route)}, body=${literal(fields)}, cast_to=openai.types.Video)`;
  }
  return `${begin}
video = client.videos.poll(video.id)
client.videos.download_content(video.id).write_to_file("video.mp4")
`;
}

function pythonArguments({ route, fields }, more) {
  const own = Object.entries(fields).filter(([name]) => OWN[route].includes(name) && pythonKey(name));
  const others = Object.fromEntries(Object.entries(fields).filter(([name]) => !OWN[route].includes(name)));
  const lines = [...own.map(([name, value]) => `${name}=${literal(value)}`), ...more];
  if (Object.keys(others).length) lines.push(`extra_body=${literal(others)}`);
  return lines.map((line) => `    ${line},`).join("\n");
}

function node(work, baseUrl) {
  const { route, fields, inputs } = work;
  const files = inputs.map(({ name }) => `await OpenAI.toFile(fs.createReadStream(${literal(name)}), ${literal(name)})`);
  const body = Object.entries(fields).map(([name, value]) => `  ${name}: ${literal(value)},`);
  if (files.length) body.push(`  ${isVideo(work) ? "input_reference" : "image"}: [${files.join(", ")}],`);
  const begin = `import fs from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: ${literal(baseUrl)}, apiKey: process.env.ADAPTER_KEY });
`;
  if (!isVideo(work)) {
    return `${begin}
const made = await client.${METHODS[route]}({
${body.join("\n")}
});
made.data.forEach((picture, index) => {
  fs.writeFileSync(\`picture-\${index + 1}.png\`, Buffer.from(picture.b64_json, "base64"));
});
`;
  }
  const call = METHODS[route] ? `client.${METHODS[route]}(` : `client.post(${literal(route)}, `;
  const content = METHODS[route] ? `{\n${body.join("\n")}\n}` : `{ body: {\n${body.join("\n")}\n} }`;
  return `${begin}
let video = await ${call}${content});
while (video.status === "queued" || video.status === "in_progress") {
  await new Promise((resolve) => setTimeout(resolve, 5000));
  video = await client.videos.retrieve(video.id);
}
const content = await client.videos.downloadContent(video.id);
fs.writeFileSync("video.mp4", Buffer.from(await content.arrayBuffer()));
`;
}
