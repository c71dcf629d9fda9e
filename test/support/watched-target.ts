import { isDigest } from '#model/digest.ts';
import type { Target } from '#oci/target.ts';

/** A manifest that was written: to a tag, or by its own digest. */
export interface ManifestPut {
  readonly repository: string;
  readonly reference: string;
}

export type Step = 'resolve' | 'manifest' | 'blob' | 'hasBlob' | 'pushBlob' | 'pushManifest' | 'deleteManifest';

/** A target whose writes are counted, and where a test may step between two calls. */
export interface WatchedTarget extends Target {
  readonly puts: readonly ManifestPut[];
  /** The references of the tags that were written. */
  tagsWritten(): readonly string[];
  /** Runs once, before the next call of this kind whose reference matches. */
  before(step: Step, reference: RegExp, act: () => Promise<void>): void;
  /** As `before`, once the call has succeeded and before its caller hears of it. */
  after(step: Step, reference: RegExp, act: () => Promise<void>): void;
}

interface Hook {
  readonly when: 'before' | 'after';
  readonly step: Step;
  readonly reference: RegExp;
  readonly act: () => Promise<void>;
}

export function watchTarget(target: Target): WatchedTarget {
  const puts: ManifestPut[] = [];
  const hooks: Hook[] = [];

  async function run(when: Hook['when'], step: Step, reference: string): Promise<void> {
    const at = hooks.findIndex((hook) => hook.when === when && hook.step === step && hook.reference.test(reference));
    const [hook] = at < 0 ? [] : hooks.splice(at, 1);
    await hook?.act();
  }

  async function around<Result>(step: Step, reference: string, call: () => Promise<Result>): Promise<Result> {
    await run('before', step, reference);
    const result = await call();
    await run('after', step, reference);
    return result;
  }

  return {
    ...target,
    puts,
    tagsWritten: () => puts.filter(({ reference }) => !isDigest(reference)).map(({ reference }) => reference),
    before: (step, reference, act) => void hooks.push({ when: 'before', step, reference, act }),
    after: (step, reference, act) => void hooks.push({ when: 'after', step, reference, act }),
    resolve: (repository, reference, signal) =>
      around('resolve', reference, () => target.resolve(repository, reference, signal)),
    manifest: (repository, reference, signal) =>
      around('manifest', reference, () => target.manifest(repository, reference, signal)),
    blob: (repository, descriptor, signal) =>
      around('blob', descriptor.digest, () => target.blob(repository, descriptor, signal)),
    hasBlob: (repository, digest, signal) =>
      around('hasBlob', digest, () => target.hasBlob(repository, digest, signal)),
    pushBlob: (repository, bytes, mediaType, signal) =>
      around('pushBlob', mediaType, () => target.pushBlob(repository, bytes, mediaType, signal)),
    deleteManifest: (repository, digest, ...rest) =>
      around('deleteManifest', digest, () => target.deleteManifest(repository, digest, ...rest)),
    pushManifest: (repository, reference, ...rest) =>
      around('pushManifest', reference, () => {
        puts.push({ repository, reference });
        return target.pushManifest(repository, reference, ...rest);
      }),
  };
}
