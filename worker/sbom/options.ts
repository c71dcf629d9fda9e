import * as z from 'zod';
import { byteSize, wholeNumber } from '#model/settings.ts';

/** Ceilings of the layer walk: an image beyond them gets no SBOM and an error that says so. */
const Limits = z
  .strictObject({
    layer: byteSize('1MiB', '1000GiB').prefault('32GiB').describe('Unpacked size of one layer.'),
    image: byteSize('1MiB', '1000GiB').prefault('64GiB').describe('Unpacked size of all layers together.'),
    file: byteSize('1KiB', '512MiB').prefault('64MiB').describe('Size of one file whose content is read.'),
    entries: wholeNumber(1000, 100_000_000).default(2_000_000).describe('Entries in one layer.'),
    ratio: wholeNumber(10, 1_000_000).default(200).describe('Unpacked by packed size of a layer over 512 MiB.'),
  })
  .transform(({ layer, image, file, ...rest }) => ({
    unpackedBytesPerLayer: layer,
    unpackedBytesPerImage: image,
    capturedFileBytes: file,
    ...rest,
  }));

export const SbomOptions = z.strictObject({
  limits: Limits.prefault({}).describe('Ceilings against layers made to hurt.'),
});
export type SbomOptions = z.output<typeof SbomOptions>;
