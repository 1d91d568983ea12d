"""Models that were pre-trained, made fit for a task. Chapter: fine_tuning."""
