/** What the build puts in: `1.0.0+41d69d83b30d`, its version and the commit that it was made from. */
declare const BUILD_VERSION: string | undefined;

/** Of the build that answers. The sources, which tests run as they are, have none. */
export const version = typeof BUILD_VERSION === 'undefined' ? 'unbuilt' : BUILD_VERSION;
