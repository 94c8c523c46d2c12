"""Made-up customers and agents who use the kit through its public contract, so that no page is empty at first sight."""
