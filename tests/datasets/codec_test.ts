/** Pictures as files and back. */
import assert from "node:assert/strict";
import { decodeImage, encodeJpeg, encodePng, encodeWebp } from "../../datasets/codec.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { bytesOf, noise, right, smooth } from "./codec_pictures.ts";

const pixel = (image: Image, x: number, y: number): readonly number[] => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

Deno.test("codec: PNG keeps every byte", async () => {
  const image = noise(37, 21);
  const back = await right(decodeImage(await right(encodePng(image)), "noise.png"));
  assert.deepEqual(back, image);
});

Deno.test("codec: JPEG keeps a smooth picture to a few grey levels, quality matters", async () => {
  const image = smooth(64, 48);
  const worst = async (quality: number) => {
    const back = await right(decodeImage(await right(encodeJpeg(image, quality)), "a.jpg"));
    assert.equal(back.width, 64);
    return back.data.reduce((sum, v, i) => sum + Math.abs(v - (image.data[i] ?? 0)), 0) /
      back.data.length;
  };
  const fine = await worst(95), coarse = await worst(20);
  assert.ok(fine < 4 && fine < coarse, `${fine} against ${coarse}`);
});

Deno.test("codec: quick encoders give the same bytes again, at any size, close to the picture", async () => {
  for (const [encode, name] of [[encodeJpeg, "a.jpg"], [encodeWebp, "a.webp"]] as const) {
    for (const [width, height] of [[80, 60], [1, 1], [17, 33], [80, 60]] as const) {
      const image = smooth(width, height);
      const file = await right(encode(image, 95, { quick: true }));
      assert.deepEqual(await right(encode(image, 95, { quick: true })), file);
      const back = await right(decodeImage(file, name));
      assert.deepEqual([back.width, back.height], [width, height], name);
      const apart = back.data.reduce((sum, v, i) => sum + Math.abs(v - (image.data[i] ?? 0)), 0) /
        back.data.length;
      assert.ok(apart < 4, `${name} of ${width}×${height}: ${apart}`);
    }
  }
  // Noise becomes a file larger than its pixels: the quick encoder has no room for it.
  const loud = noise(70, 70), file = await right(encodeJpeg(loud, 100, { quick: true }));
  const back = await right(decodeImage(file, "noise.jpg"));
  assert.ok(back.data.every((v, i) => Math.abs(v - (loud.data[i] ?? 0)) < 40));
});

Deno.test("codec: bit depths, grey and WebP become 8-bit RGB", async () => {
  const exact = await right(decodeImage(bytesOf("16 bits.png"), "16 bits.png"));
  assert.deepEqual([pixel(exact, 0, 0), pixel(exact, 5, 3)], [[30, 100, 249], [198, 49, 20]]);
  for (const name of ["lossless.webp", "lossy.webp", "grey.jpg"] as const) {
    const image = await right(decodeImage(bytesOf(name), name));
    assert.deepEqual([image.width, image.height, image.data.length], [6, 4, 72], name);
    const [red = 0, green = 0, blue = 0] = pixel(image, 5, 3);
    if (name === "grey.jpg") assert.ok(Math.abs(red - green) < 3 && Math.abs(green - blue) < 3);
    else assert.ok(red > 170 && green < 80 && blue < 60, `${name}: ${red} ${green} ${blue}`);
  }
});

Deno.test("codec: what is transparent shows white", async () => {
  const { default: encodeRgba } = await import("npm:@jsquash/png@3.1.1/encode.js");
  const data = new Uint8ClampedArray([10, 20, 30, 255, 0, 0, 0, 0, 100, 0, 0, 128]);
  const file = await encodeRgba({ data, width: 3, height: 1, colorSpace: "srgb" } as ImageData);
  const image = await right(decodeImage(new Uint8Array(file), "alpha.png"));
  assert.deepEqual([...image.data], [10, 20, 30, 255, 255, 255, 177, 127, 127]);
});

Deno.test("codec: EXIF orientation is applied", async () => {
  const image = makeImage(32, 16, [250, 10, 10]);
  for (let i = 0; i < image.data.length; i += 3) { // left half blue
    if ((i / 3) % 32 < 16) image.data.set([10, 10, 250], i);
  }
  const plain = await right(encodeJpeg(image, 95));
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1]
    .concat([1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]); // orientation 6: turn clockwise
  const segment = [0xff, 0xe1, 0, exif.length + 2, ...exif];
  const turned = new Uint8Array([...plain.subarray(0, 2), ...segment, ...plain.subarray(2)]);
  const back = await right(decodeImage(turned, "phone.jpg"));
  assert.deepEqual([back.width, back.height], [16, 32]);
  assert.ok((pixel(back, 8, 4)[2] ?? 0) > 200 && (pixel(back, 8, 28)[0] ?? 0) > 200);
});

Deno.test("codec: it works imported from a URL, with the permission to read only", async () => {
  const root = new URL("../../", import.meta.url);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      try {
        return new Response(await Deno.readFile(new URL(path, root)), {
          headers: { "content-type": "application/typescript" },
        });
      } catch {
        return new Response("none", { status: 404 });
      }
    },
  );
  const folder = await Deno.makeTempDir();
  try {
    const from = `http://127.0.0.1:${server.addr.port}`;
    await Deno.writeTextFile(
      `${folder}/user.ts`,
      `import { decodeImage, encodeJpeg, encodePng } from "${from}/datasets/codec.ts";
       import { makeImage } from "${from}/pipeline/core/image.ts";
       for (const encode of [encodePng, encodeJpeg]) {
         const file = await encode(makeImage(9, 5))();
         const image = file._tag === "Right" ? await decodeImage(file.right, "x")() : file;
         console.log(image._tag === "Right" ? image.right.width : image.left.message);
       }`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-lock", "--allow-read", "--allow-import", "user.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "9\n9\n", new TextDecoder().decode(stderr));
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});
