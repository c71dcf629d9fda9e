/** How this program names itself in statements, events and user agents. */
export const TOOL_NAME = 'attestry';

/** Kept equal to package.json by a test; part of the statement bytes. */
export const TOOL_VERSION = '0.1.0';
