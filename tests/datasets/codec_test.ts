import assert from "node:assert/strict";
import {
  decodeImage,
  encodeJpeg,
  encodePng,
  encodeWebp,
  readImage,
  writeImage,
} from "../../datasets/codec.ts";
import { MAX_SIDE, readImageHeader } from "../../datasets/image_header.ts";
import { E, type TE } from "../../pipeline/core/fp.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";

// A 6×4 picture of about (200, 50, 20), top left 3×2 pixels about (30, 100, 250), made by other encoders.
const FILES = {
  "16 bits.png":
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEEAIAAABy9gVXAAAACXBIWXMAAAABAAAAAQBPJcTWAAAAKElEQVR4nGOQk0tJ+fkTmZSUjI//8uXYMUNDEREIyUCUImQOLpIoRQClAzjVZjB79AAAAABJRU5ErkJggg==",
  "grey.jpg":
    "/9j/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/wgALCAAEAAYBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABP/aAAgBAQAAAAEH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABBQJ//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQAGPwJ//8QAFhABAQEAAAAAAAAAAAAAAAAAAQAR/9oACAEBAAE/IV2//9oACAEBAAAAEH//xAAWEAADAAAAAAAAAAAAAAAAAAAAATH/2gAIAQEAAT8QZR//2Q==",
  "lossless.webp":
    "UklGRmAAAABXRUJQVlA4TFMAAAAvBcAAAD+goG0jN3Z73z2XV9NICnQP/n1BT40ByhOgJJIVOv4+aFA4GpAAz/zH784p+oOT3ry8JRV6DxSykQSH90FZhHU4hTM4hYvof/z6Rg0BAAA=",
  "lossy.webp":
    "UklGRm4AAABXRUJQVlA4IGIAAACQAgCdASoGAAQAAIAIJbACdLoB+AH6AM//pVUIAAD++sT86k3/60//i54B/mQ4v+ZY/4eR690msDWizsCoMk/+gEf/wJ3/Uf3f/nzz3+ID/I0mN2PF38Rn/oS7M/f/VmAAAA==",
} as const;

const bytesOf = (name: keyof typeof FILES): Uint8Array =>
  Uint8Array.from(atob(FILES[name]), (letter) => letter.charCodeAt(0));

const right = async <Er, A>(task: TE.TaskEither<Er, A>): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) assert.fail(JSON.stringify(result.left));
  return result.right;
};

const message = async (bytes: Uint8Array, name = "x"): Promise<string> => {
  const result = await decodeImage(bytes, name)();
  if (E.isRight(result)) assert.fail("it decoded");
  assert.equal(result.left._tag, "BadFile");
  return result.left.message;
};

const pixel = (image: Image, x: number, y: number): readonly number[] => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

const noise = (width: number, height: number): Image => {
  const draw = makeRng(5).draw(), image = makeImage(width, height);
  image.data.forEach((_, i) => image.data[i] = draw.integer(256));
  return image;
};

const smooth = (width: number, height: number): Image => {
  const image = makeImage(width, height);
  image.data.forEach((_, i) => {
    const x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    image.data[i] = 128 + 90 * Math.sin(x / 9 + (i % 3)) * Math.cos(y / 7);
  });
  return image;
};

/** A PNG that ends after its header chunk. */
const pngHeader = (width: number, height: number): Uint8Array => {
  const bytes = new Uint8Array(33), view = new DataView(bytes.buffer);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2], 24);
  return bytes;
};

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

/** Of this test file: others run beside it in the same process. */
const ownMemory = (): number => {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
};

Deno.test("codec: too large is refused by the header alone", async () => {
  const before = ownMemory();
  assert.match(
    await message(pngHeader(60_000, 60_000), "bomb.png"),
    /^Cannot read bomb\.png: it is 60000×60000 px, expected at most 16384 px a side and 100 mega/,
  );
  assert.ok(ownMemory() - before < 100e6);
  assert.match(await message(pngHeader(10_001, 10_000)), /expected at most/);
  assert.match(await message(pngHeader(MAX_SIDE + 1, 1)), /expected at most/);
  assert.match(await message(pngHeader(0, 5)), /it is 0×5 px, expected at least 1×1/);
  assert.ok(E.isRight(readImageHeader(pngHeader(10_000, 10_000))));
  const jpeg = await right(encodeJpeg(smooth(16, 16)));
  const frame = jpeg.findIndex((b, i) => b === 0xff && [0xc0, 0xc2].includes(jpeg[i + 1] ?? 0));
  jpeg.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  assert.match(await message(jpeg, "bomb.jpg"), /65535×65535/);
  const webp = bytesOf("lossless.webp").slice();
  webp.set([0xff, 0xff, 0xff, 0x0f], 21);
  assert.ok(E.isRight(readImageHeader(bytesOf("lossless.webp"))));
  assert.match(await message(webp, "bomb.webp"), /16384×16384 px, expected at most/);
});

Deno.test("codec: broken files are values, and the codec goes on working", async () => {
  const files = {
    "a.png": await right(encodePng(smooth(40, 30))),
    "a.jpg": await right(encodeJpeg(smooth(40, 30))),
    "a.webp": bytesOf("lossy.webp"),
  };
  assert.match(await message(new Uint8Array(0)), /neither PNG, JPEG nor WebP/);
  assert.match(await message(new TextEncoder().encode("GIF89a")), /neither PNG, JPEG nor WebP/);
  const draw = makeRng(11).draw();
  for (const [name, whole] of Object.entries(files)) {
    for (const part of [5, 20, whole.length >> 1, whole.length - 8]) {
      assert.match(await message(whole.slice(0, part), name), /^Cannot read a\.\w+: .+, expected/);
    }
    for (let i = 0; i < 40; i++) { // any damage gives a picture or a value, never a throw
      const damaged = whole.slice();
      for (let k = 0; k < 4; k++) damaged[draw.integer(damaged.length)] = draw.integer(256);
      await decodeImage(damaged, name)();
    }
    await right(decodeImage(whole, name));
  }
  const animated = bytesOf("lossy.webp").slice();
  animated.set(new TextEncoder().encode("VP8X"), 12);
  animated[20] = 2;
  assert.match(await message(animated), /it is an animation, expected a still picture/);
});

Deno.test("codec: pictures without pixels or with too few bytes are refused", async () => {
  const empty: Image = { width: 0, height: 5, channels: 3, data: new Uint8Array(0) };
  const short: Image = { width: 2, height: 2, channels: 3, data: new Uint8Array(3) };
  for (const image of [empty, short]) {
    assert.ok(E.isLeft(await encodePng(image)()) && E.isLeft(await encodeJpeg(image)()));
  }
});

Deno.test("codec: files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const image = noise(8, 8);
    await right(writeImage(`${folder}/a.png`, image));
    assert.deepEqual(await right(readImage(`${folder}/a.png`)), image);
    await right(writeImage(`${folder}/a.JPG`, image));
    assert.equal((await right(readImage(`${folder}/a.JPG`))).width, 8);
    for (const path of [`${folder}/none.png`, folder]) {
      const missing = await readImage(path)();
      assert.ok(E.isLeft(missing) && missing.left.message.startsWith(`Cannot read ${path}: `));
    }
    const unwritable = await writeImage(`${folder}/none/a.png`, image)();
    assert.ok(E.isLeft(unwritable) && unwritable.left.message.startsWith("Cannot write "));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
