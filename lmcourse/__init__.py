"""The companion package of the course on language-model pretraining; import its subpackages."""
