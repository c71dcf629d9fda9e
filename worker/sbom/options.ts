import * as z from 'zod';
import { byteSize, wholeNumber } from '#model/settings.ts';

/** Ceilings of the layer walk: an image beyond them gets no SBOM and an error that says so. */
export const SbomLimits = z.strictObject({
  layer: byteSize('1MiB', '1000GiB').prefault('16GiB').describe('Unpacked size of one layer.'),
  image: byteSize('1MiB', '1000GiB').prefault('64GiB').describe('Unpacked size of all layers together.'),
  file: byteSize('1KiB', '512MiB').prefault('64MiB').describe('Size of one file that is read whole.'),
  entries: wholeNumber(1000, 100_000_000).default(2_000_000).describe('Entries in one layer.'),
  ratio: wholeNumber(10, 1_000_000).default(1000).describe('Unpacked size by packed size of one layer.'),
});

export const SbomOptions = z.strictObject({
  limits: SbomLimits.prefault({}).describe('Ceilings against layers made to hurt.'),
});
export type SbomOptions = z.output<typeof SbomOptions>;
