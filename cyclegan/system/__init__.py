"""What meets the machine: errors, files, downloads, devices, the terminal."""
