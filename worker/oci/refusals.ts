/** The first entry of a registry's error envelope. */
export interface Complaint {
  readonly code: string;
  readonly message: string;
}

// ECR, GitLab, Quay: a code or exception of their own.
const TAG_CODES = /^(?:TAG_IMMUTABLE|IMMUTABLE_TAG|ImageTagAlreadyExistsException)$/i;

/**
 * How registries word it that an existing tag stays: ECR (TAG_INVALID, 400), Harbor (412), Artifact Registry and Docker
 * Hub (400), Nexus and Artifactory where redeployment is off, and locks of Azure.
 */
const TAG_WORDS =
  /immutab|cannot be overwritten|does not allow updating|ImageTagAlreadyExists|(?:delete|deploy)\/overwrite|operation is disallowed on this registry, repository or image/i;

/** Whether a refused write of a tag was refused because the tag is there and must stay as it is. */
export function isTagRefusal(status: number, complaint: Complaint | undefined): boolean {
  if (status < 400 || status >= 500 || status === 401 || status === 429 || complaint === undefined) return false;
  return TAG_CODES.test(complaint.code) || TAG_WORDS.test(complaint.message);
}

/**
 * How registries word it that there is no room: Harbor (`…will exceed the configured upper limit of…`), Quay and GitLab
 * (quota), ECR (the maximum of images), Azure and DigitalOcean (storage).
 */
const QUOTA_WORDS =
  /exceed(?:s|ed)? the (?:configured upper|maximum|storage|allowed)|over (?:the )?quota|quota (?:has been |was |is )?exceeded|exceeded (?:the |its |your )?(?:storage )?quota|storage (?:size )?(?:limit|quota)|out of (?:storage|disk) space|no space left/i;
const QUOTA_CODES = /^(?:LimitExceededException|QUOTA_EXCEEDED|AccountSizeOverQuota)$/i;
const STORAGE_WORDS = /storage|disk|space|maximum (?:number of )?images/i;

const INSUFFICIENT_STORAGE = 507;

/** Whether a refusal is for want of room; a quota of requests, which 429 tells of, is none. */
export function isQuotaRefusal(status: number, complaint: Complaint | undefined): boolean {
  if (status === INSUFFICIENT_STORAGE) return true;
  if (status < 400 || status === 401 || complaint === undefined) return false;
  const says = QUOTA_CODES.test(complaint.code) || QUOTA_WORDS.test(complaint.message);
  return status === 429 || complaint.code === 'TOOMANYREQUESTS' ? says && STORAGE_WORDS.test(complaint.message) : says;
}
