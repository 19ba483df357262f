/** The tokens of every gateway under test. */
export const tokens = { admin: "test-admin", registrar: "test-registrar", viewer: "test-viewer" } as const;
