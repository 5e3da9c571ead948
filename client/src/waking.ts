/** Events of a page that is shown again, or whose network is back. Workers and Node lack some of them. */

/** Add or remove a listener for these events. */
export const onWaking = (
  how: "addEventListener" | "removeEventListener",
  wake: () => void,
): void => {
  const page: EventTarget = globalThis;
  page[how]?.("online", wake);
  page[how]?.("pageshow", wake);
  globalThis.document?.[how]("visibilitychange", wake);
};
