"""Small faults sown into the numerical core: does a test see each of them?"""
