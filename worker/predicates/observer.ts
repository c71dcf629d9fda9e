import { AppError } from '#model/errors.ts';

declare const observer: unique symbol;

/** The `builder.id` of an observer: never that of a build platform. Made by `observerBuilderId` alone. */
export type ObserverBuilderId = string & { readonly [observer]: true };

/** How every observer's builder id ends. */
export const OBSERVER_SUFFIX = '/builder/registry-observer/v1';

/** What `buildType` says: these parameters describe an image as found in a registry, not a build. */
export const OBSERVATION_BUILD_TYPE = 'https://attestry.dev/build-type/registry-observation/v1';

/**
 * The builder id of an installation. Its ending is fixed, so that no installation, whatever its configuration, can name
 * the build platform of somebody else: the builder id is the field that carries trust (SLSA; interop E.3).
 * @throws AppError `config-invalid`
 */
export function observerBuilderId(text: string): ObserverBuilderId {
  if (isObserverBuilderId(text)) return text;
  throw new AppError('config-invalid', `${JSON.stringify(text.slice(0, 200))} is not the builder id of an observer`, {
    field: 'builderId',
    mend: `write https://<a host of yours>${OBSERVER_SUFFIX}`,
  });
}

/** A plain https URL with the ending that every observer's builder id has. */
export function isObserverBuilderId(text: string): text is ObserverBuilderId {
  if (!text.endsWith(OBSERVER_SUFFIX) || /[?#@]/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' && url.href === text;
}

export const DEFAULT_BUILDER_ID = observerBuilderId(`https://attestry.dev${OBSERVER_SUFFIX}`);
