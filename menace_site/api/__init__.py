"""What every endpoint under /api/ shares: who may, what is read, how errors and pages look."""
