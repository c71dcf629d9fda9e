import type { Pin, RotationPlan } from '#cli/certificate/rotation-plan.ts';

/** The plan for people. */
export function planText(plan: RotationPlan): string {
  const { present, next, rules, policies, trusts, evidence, images, steps } = plan;
  const lines = [
    `signer ${plan.signer}: ${present.subject === undefined ? 'plain key' : `"${present.subject}"`}, ${present.fingerprint}`,
    ...(present.notAfter === undefined ? [] : [`  until ${present.notAfter}`]),
    ...(present.names.length === 0 ? [] : [`  names ${present.names.join(', ')}`]),
    ...(next === undefined
      ? []
      : [
          `new: "${next.subject}", ${next.fingerprint}`,
          `  until ${next.notAfter}`,
          `  ${next.sameRoot ? 'same' : 'another'} root, ${next.sameKey ? 'same' : 'another'} key, ${next.sameNames ? 'same' : 'other'} names`,
          ...next.findings.map(({ level, rule, message }) => `  ${level}: ${rule}: ${message}`),
        ]),
    `rules: ${rules.length}`,
    ...rules.map(({ name, evidence: types }) => `  ${name}: ${types.join(', ')}`),
    `policies that pin it: ${policies.length}`,
    ...policies.map(pinLine),
    `trusts that pin it: ${trusts.length}`,
    ...trusts.map(pinLine),
    `evidence on record: ${evidence.pieces} in ${evidence.locations} places`,
    ...Object.entries(evidence.byRule).map(([rule, pieces]) => `  ${rule}: ${pieces}`),
    `known images that these rules may hold for: ${images.count}`,
    ...images.listed.map((image) => `  ${image}`),
    ...(images.count > images.listed.length
      ? [`  ... and ${images.count - images.listed.length} more (--json lists more)`]
      : []),
    'to do, in this order:',
    ...steps.map((step, at) => `  ${at + 1}. ${step}`),
  ];
  return `${lines.join('\n')}\n`;
}

function pinLine({ id, file, pins, change, identity }: Pin): string {
  const what = pins.length > 0 ? `its ${pins.join(' and ')}` : `the name ${identity}`;
  const words = { needed: 'must be changed', none: 'need not be changed', 'if-root-changes': 'changes with the root' };
  return `  ${id} (${file}): ${what}; ${words[change]}`;
}
