// Enter sends a message, Shift and Enter begin a new line.
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (!field.matches?.("textarea[data-enter-sends]")) return;
  event.preventDefault();
  const button = field.form?.querySelector("button[type=submit]");
  if (field.value.trim() && button && !button.disabled) field.form.requestSubmit(button);
});
