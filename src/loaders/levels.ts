/**
 * A kind of upstream answer that carries a field:
 * - `ref`: `{id, uid, name}` inside `GET /workspaces/{id}`
 * - `summary`: an item of a list
 * - `minimal`: `GET /collections/{uid}?model=minimal`
 * - `detail`: a single read
 * - `own`: a call that nothing but this field needs
 *
 * A field that every one of them carries, or that is derived from the identifier, has `ref` among its levels.
 */
export type Level = 'ref' | 'summary' | 'minimal' | 'detail' | 'own';
