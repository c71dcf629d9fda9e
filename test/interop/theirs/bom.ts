/** The least that is a CycloneDX document. */
export const BOM = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components: [] };
