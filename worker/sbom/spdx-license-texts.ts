import { sha256Hex } from '#model/digest.ts';
import { readLicense } from '#sbom/spdx-licenses.ts';

/** A licence that SPDX does not list, by the text that a package declares (SPDX 2.3, clause 10). */
export interface ExtractedLicense {
  readonly licenseId: string;
  readonly extractedText: string;
  readonly name: string;
}

export interface LicenseTexts {
  /** What stands for a declared licence in an expression: itself, or a reference to its text. */
  idOf(text: string): string;
  /** The texts that were referred to, by id. */
  extracted(): readonly ExtractedLicense[];
}

/** Turns what packages declare into expressions that SPDX allows; collects the texts that it does not list. */
export function createLicenseTexts(): LicenseTexts {
  const found = new Map<string, ExtractedLicense>();

  function idOf(text: string): string {
    const license = readLicense(text);
    switch (license.kind) {
      case 'id':
        return license.id;
      case 'expression':
        return `(${license.expression})`;
      case 'name': {
        const licenseId = `LicenseRef-${sha256Hex(license.name).slice(0, 16)}`;
        found.set(licenseId, { licenseId, extractedText: license.name, name: license.name });
        return licenseId;
      }
    }
  }

  return {
    idOf,
    extracted: () => [...found.values()].sort((a, b) => (a.licenseId < b.licenseId ? -1 : 1)),
  };
}
