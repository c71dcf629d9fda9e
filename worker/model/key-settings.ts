import { SECRET_REFERENCE, type Secret } from '#model/secret.ts';

interface KeySetting {
  readonly meaning: string;
  /** A secret, or an absolute path; absent: plain text. */
  readonly holds?: 'secret' | 'path';
}

/**
 * Settings by which key services and tokens are reached: their own environment variables, so that what an orchestrator
 * sets for every other client serves here too. A signer may override each in its `access`; those marked secret only by a
 * secret reference.
 */
export const KEY_SETTINGS = {
  AWS_REGION: { meaning: 'region of the key, where its reference names none' },
  AWS_DEFAULT_REGION: { meaning: 'the same, asked after AWS_REGION' },
  AWS_ACCESS_KEY_ID: { meaning: 'access key' },
  AWS_SECRET_ACCESS_KEY: { meaning: 'its secret', holds: 'secret' },
  AWS_SESSION_TOKEN: { meaning: 'session token of temporary credentials', holds: 'secret' },
  AWS_PROFILE: { meaning: 'section of the shared credentials file' },
  AWS_SHARED_CREDENTIALS_FILE: { meaning: 'the shared credentials file', holds: 'path' },
  AWS_ROLE_ARN: { meaning: 'role to take on with a web identity' },
  AWS_ROLE_SESSION_NAME: { meaning: 'name of that session' },
  AWS_WEB_IDENTITY_TOKEN_FILE: { meaning: 'file of the web identity token', holds: 'path' },
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: { meaning: 'credentials of an ECS task' },
  AWS_CONTAINER_CREDENTIALS_FULL_URI: { meaning: 'credentials of an EKS pod identity' },
  AWS_CONTAINER_AUTHORIZATION_TOKEN: { meaning: 'token for them', holds: 'secret' },
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: { meaning: 'file of that token', holds: 'path' },
  AWS_EC2_METADATA_DISABLED: { meaning: '`true`: the metadata service of the machine is not asked' },
  AWS_EC2_METADATA_SERVICE_ENDPOINT: { meaning: 'another address of that service' },
  AWS_ENDPOINT_URL_KMS: { meaning: 'another address of KMS' },
  AWS_ENDPOINT_URL_ECR: { meaning: 'another address of ECR' },
  AWS_ENDPOINT_URL_ECR_PUBLIC: { meaning: 'another address of ECR Public' },
  AWS_ENDPOINT_URL_SQS: { meaning: 'another address of SQS' },
  AWS_ENDPOINT_URL_STS: { meaning: 'another address of STS' },
  AWS_CA_BUNDLE: { meaning: 'PEM file of CAs to trust for all AWS services', holds: 'path' },
  AZURE_TENANT_ID: { meaning: 'tenant' },
  AZURE_CLIENT_ID: { meaning: 'client, or user-assigned managed identity' },
  AZURE_CLIENT_SECRET: { meaning: 'secret of the client', holds: 'secret' },
  AZURE_FEDERATED_TOKEN_FILE: { meaning: 'token file of a workload identity', holds: 'path' },
  AZURE_AUTHORITY_HOST: { meaning: 'login server; of the public cloud where absent' },
  IDENTITY_ENDPOINT: { meaning: 'managed identity of App Service and Container Apps' },
  IDENTITY_HEADER: { meaning: 'header value for it', holds: 'secret' },
  AZURE_POD_IDENTITY_AUTHORITY_HOST: { meaning: 'another address of the metadata service of the machine' },
  GOOGLE_APPLICATION_CREDENTIALS: {
    meaning: 'JSON file of a service account, workload identity or user',
    holds: 'path',
  },
  GCE_METADATA_HOST: { meaning: 'another address of the metadata service' },
  CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: { meaning: 'another address of Cloud KMS' },
  VAULT_ADDR: { meaning: 'address of Vault' },
  VAULT_TOKEN: { meaning: 'token', holds: 'secret' },
  VAULT_NAMESPACE: { meaning: 'namespace' },
  VAULT_CACERT: { meaning: 'PEM file of the CA of Vault', holds: 'path' },
  VAULT_AUTH_METHOD: { meaning: '`approle`, `kubernetes` or `jwt`, where there is no token' },
  VAULT_AUTH_PATH: { meaning: 'where that method is mounted; its own name where absent' },
  VAULT_ROLE: { meaning: 'role for `kubernetes` and `jwt`' },
  VAULT_JWT_FILE: { meaning: 'token file for them; that of the service account where absent', holds: 'path' },
  VAULT_ROLE_ID: { meaning: 'role id for `approle`' },
  VAULT_SECRET_ID: { meaning: 'secret id for `approle`', holds: 'secret' },
  VAULT_KEY_VERSION: { meaning: 'version of the key; the latest where absent' },
  TRANSIT_SECRET_ENGINE_PATH: { meaning: 'where the transit engine is mounted; `transit` where absent' },
  COSIGN_PKCS11_MODULE_PATH: { meaning: 'the PKCS #11 module, where the reference names none', holds: 'path' },
  COSIGN_PKCS11_PIN: { meaning: 'the PIN of the token', holds: 'secret' },
  SSL_CERT_FILE: { meaning: 'PEM file of further CAs to trust', holds: 'path' },
} as const satisfies Readonly<Record<string, KeySetting>>;

export type KeySettingName = keyof typeof KEY_SETTINGS;

/** Looks settings up, anew at each call: a rotated secret counts without a restart. An empty value is none. */
export interface KeySettings {
  text(name: KeySettingName): string | undefined;
  secret(name: KeySettingName): Secret | undefined;
}

export function isKeySetting(name: string): name is KeySettingName {
  return Object.hasOwn(KEY_SETTINGS, name);
}

/** Why a value cannot stand in the configuration, with the mend; undefined when it can. */
export function settingComplaint(
  name: string,
  value: string,
): { readonly message: string; readonly mend: string } | undefined {
  if (!isKeySetting(name))
    return { message: `there is no setting ${name}`, mend: 'see the table of settings in the guide on keys' };
  const setting: KeySetting = KEY_SETTINGS[name];
  switch (setting.holds) {
    case 'secret':
      if (SECRET_REFERENCE.test(value)) return undefined;
      return {
        message: `${name} is a secret and must not stand in the file itself`,
        mend: 'write env:NAME or file:/path',
      };
    case 'path':
      if (value.startsWith('/')) return undefined;
      return { message: `${name} is no absolute path`, mend: 'write the path from the root: /path' };
    case undefined:
      return undefined;
  }
}
