import { AppError } from '#model/errors.ts';

declare const observer: unique symbol;

/** The `builder.id` of an observer: never that of a build platform. Made by `observerBuilderId` alone. */
export type ObserverBuilderId = string & { readonly [observer]: true };

const SUFFIX = '/builder/registry-observer/v1';

/** What `buildType` says: these parameters describe an image as found in a registry, not a build. */
export const OBSERVATION_BUILD_TYPE = 'https://attestry.dev/build-type/registry-observation/v1';

/**
 * The builder id of an installation. Its ending is fixed, so that no installation, whatever its configuration, can name
 * the build platform of somebody else: the builder id is the field that carries trust (SLSA; interop E.3).
 * @throws AppError `config-invalid`
 */
export function observerBuilderId(text: string): ObserverBuilderId {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.href !== text || /[?#@]/.test(text)) {
    throw invalid(text, 'is not a plain https URL');
  }
  if (!isObserver(text)) throw invalid(text, `does not end in ${SUFFIX}`);
  return text;
}

function isObserver(text: string): text is ObserverBuilderId {
  return text.endsWith(SUFFIX);
}

export const DEFAULT_BUILDER_ID = observerBuilderId(`https://attestry.dev${SUFFIX}`);

function invalid(text: string, why: string): AppError {
  return new AppError('config-invalid', `builder id ${JSON.stringify(text.slice(0, 200))} ${why}`, {
    field: 'builderId',
    mend: `write https://<a host of yours>${SUFFIX}`,
  });
}
