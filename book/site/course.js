// A page opened from the disk may not fetch its neighbours, so search shows titles there, without a summary.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
