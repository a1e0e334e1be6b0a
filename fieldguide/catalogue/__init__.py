"""What is known of each photo: sources, schema, taxonomy, licences, regions."""
