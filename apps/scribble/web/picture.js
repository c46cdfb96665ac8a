// `image.png`: the picture as it was a little while ago, in a single request, with the id up to which it is complete.

/** {id, body}: the id as soon as the header is here, and a promise of {width, height, words}. Null without a picture. */
export async function fetchPicture() {
  try {
    const answer = await fetch("image.png", { cache: "no-cache" });
    if (!answer.ok) return null;
    const id = Number(answer.headers.get("x-amz-meta-id") || NaN);
    return { id: Number.isSafeInteger(id) && id >= 0 ? id : null, body: decode(answer) };
  } catch (error) {
    console.debug("scribble: no picture to begin with", error);
    return null;
  }
}

async function decode(answer) {
  try {
    const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    const { width, height } = bitmap;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return { width, height, words: new Uint32Array(context.getImageData(0, 0, width, height).data.buffer) };
  } catch (error) {
    console.debug("scribble: the picture is not understood", error);
    return null;
  }
}

/** Save the board as a PNG. */
export function download(canvas) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `scribble-${new Date().toISOString().slice(0, 10)}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}
