import { lintCommand } from '#cli/certificate/lint.ts';
import { requestCommand } from '#cli/certificate/request.ts';
import { rotateCommand } from '#cli/certificate/rotate.ts';
import type { CommandIo } from '#cli/command.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { KEY_FORMS } from '#cli/open-key.ts';
import { AppError } from '#model/errors.ts';

const USAGE = `
Usage: attestry certificate lint FILE [--chain FILE] [--key KEY] [--json]
       attestry certificate request (--key KEY | --signer ID) [--uri URI] [--email ADDRESS]
       attestry certificate rotate ID --plan [--certificate FILE --chain FILE]

lint     says whether a certificate is fit to sign evidence that cosign and Kyverno verify.
         FILE holds the signing certificate in PEM; its issuers may follow in the same file
request  prints a certification request (PKCS #10) with the extensions that such a certificate
         must have, signed by the key itself, wherever it lies
rotate   says what a new certificate of a configured signer would touch; it changes nothing

  --chain FILE, --certificate-chain FILE
                     intermediates and root, in any order
  --key KEY          ${KEY_FORMS};
                     COSIGN_PASSWORD holds the passphrase, COSIGN_PKCS11_PIN the PIN
  --signer ID        a signer of the configuration; names are those of its certificate
  --uri URI          name for the certificate; may be repeated
  --email ADDRESS    the same, an e-mail address
  --subject DN       subject, e.g. "CN=Release signing,O=Example" (default: CN of the first name)
  --plan             required: nothing is changed
  --certificate FILE the certificate that would come, to be judged and compared
  --config FILE      default: $ATTESTRY_CONFIG, else attestry.yaml
  --json             the outcome as JSON
  --quiet            nothing but errors

Exit: 0 done, 1 a rule of the linter is broken, 2 could not be done, 64 wrong usage.
`;

const FLAGS = {
  chain: { type: 'string' },
  'certificate-chain': { type: 'string' },
  certificate: { type: 'string' },
  key: { type: 'string' },
  signer: { type: 'string' },
  config: { type: 'string' },
  uri: { type: 'string', multiple: true },
  email: { type: 'string', multiple: true },
  subject: { type: 'string' },
  plan: { type: 'boolean' },
} as const;

export async function certificateCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, FLAGS);
  if (values.help) return showHelp(io, USAGE);
  if (values.chain !== undefined && values['certificate-chain'] !== undefined) {
    throw new AppError('usage', '--chain and --certificate-chain are the same flag', { mend: 'give one of them' });
  }
  const chain = values.chain ?? values['certificate-chain'];
  const [verb, ...rest] = positionals;
  switch (verb) {
    case 'lint':
      return await lintCommand(rest, { ...values, chain }, io);
    case 'request':
      return await requestCommand(rest, values, io);
    case 'rotate':
      return await rotateCommand(rest, { ...values, chain }, io);
    default: {
      const given = verb === undefined ? 'nothing is asked' : `there is no "certificate ${verb}"`;
      throw new AppError('usage', given, { mend: 'write lint FILE, request or rotate ID --plan' });
    }
  }
}
