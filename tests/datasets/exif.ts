/** JPEG files as cameras write them: with an orientation. */

/** The same JPEG with an EXIF orientation (1 to 8). */
export const withExif = (jpeg: Uint8Array, orientation: number): Uint8Array => {
  const exif = Uint8Array.of(
    ...[0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0], // APP1 of 34 bytes, "Exif"
    ...[0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1], // big-endian TIFF with one entry
    ...[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0], // orientation, a short
  );
  const made = new Uint8Array(jpeg.length + exif.length);
  made.set(jpeg.subarray(0, 2));
  made.set(exif, 2);
  made.set(jpeg.subarray(2), 2 + exif.length);
  return made;
};
